"use strict";
// What triage/report/html_pack.c packs: the LZ4 block format in base64.
const unpack = (() => {
  const decoder = new TextDecoder();

  function bytesOf(base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  function inflate(packed, size) {
    const out = new Uint8Array(size);
    let from = 0, to = 0;
    const length = (start) => {
      let value = start, byte = 255;
      if (start === 15) while (byte === 255) value += byte = packed[from++];
      return value;
    };
    while (from < packed.length) {
      const token = packed[from++], literals = length(token >> 4);
      out.set(packed.subarray(from, from + literals), to);
      from += literals;
      to += literals;
      if (from >= packed.length) break;
      const offset = packed[from] | packed[from + 1] << 8;
      from += 2;
      for (let left = length(token & 15) + 4; left > 0; left--, to++) out[to] = out[to - offset];
    }
    return out;
  }

  return (size, base64) => JSON.parse(decoder.decode(inflate(bytesOf(base64), size)));
})();
