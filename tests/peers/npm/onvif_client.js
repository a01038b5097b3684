// One session of npm's `onvif` client with a camera, as its own documentation shows it; prints what it found as JSON.
// Arguments: folder of node_modules, host, port, user, password, and "brief" to leave out events and the head.
const [folder, hostname, port, username, password, extent] = process.argv.slice(2);
const { Cam } = require(`${folder}/onvif`);

function ask(cam, name, options) {
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error ? reject(new Error(`${name}: ${error.message}`)) : resolve(value));
    options === undefined ? cam[name](done) : cam[name](options, done);
  });
}

function firstEvent(cam) {
  return new Promise((resolve) => cam.once("event", resolve));
}

async function session(cam) {
  const found = { device: await ask(cam, "getDeviceInformation") };
  found.profiles = cam.profiles.map((one) => ({
    token: one.$.token,
    encoding: one.videoEncoderConfiguration.encoding,
    width: one.videoEncoderConfiguration.resolution.width,
    height: one.videoEncoderConfiguration.resolution.height,
  }));
  found.stream = (await ask(cam, "getStreamUri", { protocol: "RTSP" })).uri;
  found.snapshot = (await ask(cam, "getSnapshotUri")).uri;
  found.hostname = (await ask(cam, "getHostname")).name;
  found.clock = (await ask(cam, "getSystemDateAndTime")).getTime();
  found.options = Object.keys(await ask(cam, "getVideoEncoderConfigurationOptions", "ve_main")).sort();
  found.exposure = (await ask(cam, "getImagingSettings")).exposure.exposureTime;
  if (extent === "brief") return found;
  found.event = (await firstEvent(cam)).topic._;
  await ask(cam, "absoluteMove", { x: 0.25, y: 0.5, zoom: 0.1 });
  do {
    found.status = await ask(cam, "getStatus");
  } while (found.status.moveStatus.panTilt !== "IDLE");
  return { ...found, status: found.status.position };
}

const cam = new Cam({ hostname, port: Number(port), username, password, timeout: 20000, preserveAddress: false }, (error) => {
  if (error) throw error;
  session(cam).then(
    (found) => process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0)),
    (problem) => process.stderr.write(`${problem.stack}\n`, () => process.exit(1)),
  );
});
