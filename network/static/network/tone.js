// Two short notes made by the browser itself; there is no file to load.

const NOTES = [
  [0, 660],
  [0.18, 880],
];
const LASTS = 0.16;
const LOUD = 0.15;

/** Sound once. Before the page was touched a browser may refuse: then nothing sounds, and the page shows it anyway. */
export async function tone() {
  if (!("AudioContext" in globalThis)) return false;
  const context = new AudioContext();
  await Promise.race([context.resume(), wait(300)]);
  const sounds = context.state === "running";
  if (sounds) {
    for (const [after, hertz] of NOTES) note(context, context.currentTime + after, hertz);
    await wait(600);
  }
  await context.close();
  return sounds;
}

function note(context, at, hertz) {
  const [source, loudness] = [context.createOscillator(), context.createGain()];
  source.frequency.value = hertz;
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(LOUD, at + 0.02);
  loudness.gain.linearRampToValueAtTime(0, at + LASTS);
  source.connect(loudness).connect(context.destination);
  source.start(at);
  source.stop(at + LASTS);
}

function wait(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
