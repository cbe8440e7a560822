// A short-message center on node's `smpp`: center.js LOG [PORT [DELAY_MS]].
//
// It writes one line of JSON for each submit_sm to LOG before it answers, answers after DELAY_MS,
// then reports DELIVRD. A number that ends in 7 gets its owner's reply `TD`. It prints its port.
"use strict";

const fs = require("fs");
const smpp = require("smpp");

const [log, port = "0", delay = "0"] = process.argv.slice(2);
const file = fs.openSync(log, "a");
let count = 0;

function answer(session, pdu, name) {
  session.send(pdu.response({ message_id: name }));
  const receipt = `id:${name} sub:001 dlvrd:001 submit date:2603101000 done date:2603101001 ` +
    "stat:DELIVRD err:000 Text:";
  if (pdu.registered_delivery & 1) {
    session.deliver_sm({
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
      source_addr_ton: 1,
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      short_message: receipt,
      receipted_message_id: name,
      message_state: smpp.MESSAGE_STATE.DELIVERED,
    });
  }
  if (pdu.destination_addr.endsWith("7")) {
    session.deliver_sm({
      source_addr_ton: 1,
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      short_message: "TD",
    });
  }
}

const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    const known = pdu.system_id === "duly" && pdu.password === "s3cr3t";
    session.send(pdu.response({ command_status: known ? 0 : smpp.ESME_RINVPASWD }));
    if (!known) session.close();
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", (pdu) => {
    count += 1;
    const name = `${process.pid}-${count}`;
    const { message, udh } = pdu.short_message;
    fs.writeSync(file, JSON.stringify({
      to: pdu.destination_addr,
      from: pdu.source_addr,
      text: message,
      coding: pdu.data_coding,
      header: udh ? Buffer.concat(udh.map((one) => Buffer.from(one))).toString("hex") : "",
      until: pdu.validity_period,
    }) + "\n");
    if (Number(delay)) setTimeout(() => answer(session, pdu, name), Number(delay));
    else answer(session, pdu, name);
  });
});

server.listen(Number(port), "127.0.0.1", () => console.log(server.address().port));
