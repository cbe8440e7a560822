// The keyboard of a case: J next, K before, 1 to 9 choose an outcome. Every key does what a link or
// a button on the page does: without this file nothing is missing.
"use strict";
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("textarea, select, input:not([type=radio])");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  const link = document.querySelector(`a[data-key="${CSS.escape(key)}"]`);
  if (link) {
    event.preventDefault();
    link.click();
    return;
  }
  const choice = document.querySelector(`input[data-key="${CSS.escape(key)}"]`);
  if (choice) {
    event.preventDefault();
    choice.checked = true;
    choice.focus();
  }
});
