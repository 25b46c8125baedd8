// Reads subunit version 2, the binary stream in which tempest tells what became of each test.
// The format: https://github.com/testing-cabal/subunit (README, "Version 2").

const signature = 0xb3;
const statuses = ['', 'exists', 'inprogress', 'success', 'uxsuccess', 'skip', 'fail', 'xfail'];
const flag = { testId: 0x0800, routing: 0x0400, timestamp: 0x0200, tags: 0x0080, mime: 0x0020, file: 0x0040 };
/** Signature, flags and the longest length. */
const headerBytes = 7;

/** Calls `onEvent` with `{ testId, status, seconds, file }` for each packet of the chunks written to it. */
export class SubunitReader {
  #rest = Buffer.alloc(0);
  #onEvent;

  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  write(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      // Text may stand between packets.
      const start = this.#rest.indexOf(signature);
      this.#rest = start < 0 ? Buffer.alloc(0) : this.#rest.subarray(start);
      if (this.#rest.length < headerBytes) return;
      const cursor = new Cursor(this.#rest, 3);
      const length = cursor.number();
      if (this.#rest.length < length) return;
      this.#onEvent(decode(this.#rest.readUInt16BE(1), new Cursor(this.#rest.subarray(0, length), cursor.at)));
      this.#rest = this.#rest.subarray(length);
    }
  }
}

function decode(flags, cursor) {
  const event = { testId: undefined, status: statuses[flags & 0x7], seconds: undefined, file: undefined };
  if (flags & flag.timestamp) event.seconds = cursor.uint32() + cursor.number() / 1e9;
  if (flags & flag.testId) event.testId = cursor.text();
  if (flags & flag.tags) for (let tags = cursor.number(); tags > 0; tags--) cursor.text();
  if (flags & flag.mime) cursor.text();
  if (flags & flag.file) event.file = { name: cursor.text(), content: cursor.text() };
  return event;
}

/** Where in a packet the reading is. */
class Cursor {
  #bytes;

  constructor(bytes, at) {
    this.#bytes = bytes;
    this.at = at;
  }

  uint32() {
    this.at += 4;
    return this.#bytes.readUInt32BE(this.at - 4);
  }

  /** A number of one to four bytes; the first two bits say how many more follow. */
  number() {
    const first = this.#bytes[this.at];
    const more = first >> 6;
    let value = first & 0x3f;
    for (let index = 1; index <= more; index++) value = value * 256 + this.#bytes[this.at + index];
    this.at += 1 + more;
    return value;
  }

  text() {
    const length = this.number();
    this.at += length;
    return this.#bytes.toString('utf8', this.at - length, this.at);
  }
}
