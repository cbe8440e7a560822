"use strict";
(function () {
  // The page is complete without this script: it adds charts and the filter.
  var INK = "#2b2722", MUTED = "#6b645a", LINE = "#e3ded5";
  var FONT = getComputedStyle(document.body).fontFamily;

  function bars(spec, room) {
    return {
      grid: { left: room, right: 56, top: 4, bottom: 0 },
      xAxis: { type: "value", max: spec.most, show: false },
      yAxis: {
        type: "category", inverse: true, data: spec.labels,
        axisLine: { show: false }, axisTick: { show: false },
        axisLabel: { color: INK, fontSize: 13, fontFamily: FONT, width: room - 12, overflow: "break", lineHeight: 14 }
      },
      series: [{
        type: "bar", barWidth: 14,
        data: spec.values.map(function (value, i) {
          return { value: value, itemStyle: { color: spec.colors[i] } };
        }),
        label: {
          show: true, position: "right", color: INK, fontSize: 13, fontFamily: FONT,
          formatter: function (p) { return spec.texts[p.dataIndex]; }
        }
      }]
    };
  }

  function columns(spec) {
    var series = spec.series.map(function (one) {
      return {
        name: one.name, type: "bar", stack: "all", barMaxWidth: 44, data: one.values,
        itemStyle: { color: one.color }
      };
    });
    // The label of a whole column sits on an empty piece on top of its stack.
    series.push({
      type: "bar", stack: "all", barMaxWidth: 44, silent: true,
      data: spec.texts.map(function () { return 0; }),
      label: {
        show: true, position: "top", color: INK, fontSize: 13, fontFamily: FONT,
        formatter: function (p) { return spec.texts[p.dataIndex]; }
      }
    });
    return {
      grid: { left: 0, right: 0, top: 26, bottom: 0, containLabel: true },
      xAxis: {
        type: "category", data: spec.labels,
        axisLine: { lineStyle: { color: LINE } }, axisTick: { show: false },
        axisLabel: { color: MUTED, fontSize: 13, fontFamily: FONT, interval: 0, hideOverlap: true }
      },
      yAxis: { type: "value", show: false },
      series: series
    };
  }

  var drawn = [];
  var specs = JSON.parse(document.getElementById("charts").textContent);
  Object.keys(specs).forEach(function (id) {
    var box = document.getElementById(id), spec = specs[id];
    if (!box || !window.echarts) { return; }
    box.style.height = (spec.kind === "bars" ? spec.labels.length * 30 + 12 : 240) + "px";
    var chart = window.echarts.init(box, null, { devicePixelRatio: Math.max(2, window.devicePixelRatio || 1) });
    var option = spec.kind === "bars" ? bars(spec, box.clientWidth < 420 ? 132 : 176) : columns(spec);
    option.animation = false;
    chart.setOption(option);
    drawn.push(chart);
  });
  window.addEventListener("resize", function () {
    drawn.forEach(function (chart) { chart.resize(); });
  });

  var filter = document.getElementById("filter");
  if (!filter) { return; }
  var words = document.getElementById("filter-words");
  var kind = document.getElementById("filter-decision");
  var shown = document.getElementById("filter-shown");
  var rows = Array.prototype.slice.call(document.querySelectorAll("#sample tbody tr"));
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  function apply() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean), count = 0;
    rows.forEach(function (row, i) {
      var fits = (!kind.value || row.getAttribute("data-decision") === kind.value) &&
        wanted.every(function (word) { return texts[i].indexOf(word) >= 0; });
      row.hidden = !fits;
      if (fits) { count += 1; }
    });
    shown.textContent = shown.getAttribute("data-words").replace("{shown}", count)
      .replace("{rows}", rows.length);
  }
  filter.hidden = false;
  words.addEventListener("input", apply);
  kind.addEventListener("change", apply);
  apply();
})();
