// A take by the microphone, kept as 24-bit WAV exactly as it comes in.

export class Recorder {
  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    this.context = new AudioContext();
    try { await this.context.audioWorklet.addModule("/static/recorder.js"); } catch (error) {
      for (const track of this.stream.getTracks()) track.stop();
      throw error;
    }
    this.blocks = [];
    this.node = new AudioWorkletNode(this.context, "recorder");
    this.node.port.onmessage = (event) => this.blocks.push(event.data);
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    this.node.connect(this.context.destination);  // silent; without it some browsers do not run it
  }

  async stop() {
    for (const track of this.stream.getTracks()) track.stop();
    const rate = this.context.sampleRate;
    await this.context.close();
    return new File([wav(this.blocks, rate)], "take.wav", { type: "audio/wav" });
  }
}

function wav(blocks, rate) {
  const count = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 3 * count));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 3 * count, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 3 * rate, true); view.setUint16(32, 3, true); view.setUint16(34, 24, true);
  text(36, "data"); view.setUint32(40, 3 * count, true);
  let at = 44;
  for (const block of blocks)
    for (const sample of block) {
      const value = Math.round(Math.max(-1, Math.min(1, sample)) * 0x7fffff);
      view.setUint8(at++, value & 0xff); view.setUint8(at++, (value >> 8) & 0xff); view.setUint8(at++, (value >> 16) & 0xff);
    }
  return view.buffer;
}
