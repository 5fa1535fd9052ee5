// A phone in a web page: it does what the test says, and tells what happens (tests/live/web_phone.py).
import JsSIP from "jssip";

const wanted = Object.fromEntries(new URLSearchParams(location.search));
const tell = (event) => fetch(`/tell?${new URLSearchParams({ name: wanted.name, event })}`);

const ua = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(wanted.server)],
  uri: wanted.uri,
  password: wanted.password,
  register: true,
  session_timers: false,
});
const pcConfig = { iceServers: [] };
const media = { mediaConstraints: { audio: true, video: false }, pcConfig };
let session;

ua.on("registered", () => tell("registered"));
ua.on("unregistered", () => tell("unregistered"));
ua.on("registrationFailed", (data) => tell(`registration failed: ${data.cause}`));
ua.on("disconnected", () => tell("disconnected"));
ua.on("newRTCSession", (data) => {
  session = data.session;
  session.on("confirmed", () => tell("confirmed"));
  session.on("ended", (end) => tell(`ended by ${end.originator}`));
  session.on("failed", (end) => tell(`failed: ${end.cause}`));
  if (data.originator === "remote") session.answer(media);
});

const orders = {
  call: (uri) => ua.call(uri, media),
  hang_up: () => session.terminate(),
  unregister: () => ua.unregister(),
};

const obey = async () => {
  for (;;) {
    const order = await (await fetch(`/order?name=${wanted.name}`)).json();
    if (order) orders[order[0]](...order.slice(1));
  }
};

ua.start();
obey();
