// Child processes that end with this one, whatever ends it.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const graceMs = 20_000;

export class Processes {
  #running = [];
  #stopped = false;

  /**
   * Starts a program in a process group of its own, so that Ctrl-C in a terminal reaches only this process, which then ends the
   * others in order. What it prints goes to `log`; `stdout: 'pipe'` hands standard output to the caller instead.
   */
  start(command, args, { log, env = {}, cwd, stdout } = {}) {
    if (this.#stopped) throw new Error('stopping');
    const output = openSync(log, 'a');
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', stdout ?? output, output],
    });
    const exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    exited.catch(() => {});
    const running = { child, exited, name: command, log };
    this.#running.push(running);
    return running;
  }

  /** Runs a program to its end; throws when it fails. */
  async run(command, args, options) {
    const started = this.start(command, args, options);
    const status = await started.exited;
    if (status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed (${status}); see ${options.log}`);
  }

  /** Ends one program and all it started. */
  async stop({ child, exited }) {
    if (child.pid === undefined) return;
    const ended = exited.then(() => true).catch(() => true);
    signalGroup(child.pid, 'SIGTERM');
    if (!(await Promise.race([ended, sleep(graceMs, false, { ref: false })]))) signalGroup(child.pid, 'SIGKILL');
    await ended;
    // What it left behind, if anything.
    signalGroup(child.pid, 'SIGKILL');
  }

  /** Ends everything, the last started first. */
  async stopAll() {
    this.#stopped = true;
    for (const running of this.#running.toReversed()) await this.stop(running);
  }
}

/** Resolves when something answers HTTP at the address; throws when `process` ends first or it takes too long. */
export async function answers(url, { child, exited, name, log }, withinMs = 300_000) {
  const deadline = Date.now() + withinMs;
  let ended = false;
  exited.catch(() => {}).finally(() => (ended = true));
  for (;;) {
    if (ended || child.exitCode !== null) throw new Error(`${name} ended before it answered at ${url}; see ${log}`);
    if (Date.now() > deadline) throw new Error(`nothing answers at ${url}; see ${log}`);
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
    if (response !== undefined && response.status < 500) return;
    await sleep(100);
  }
}

const handedOut = new Set();

/** A port of 127.0.0.1 that nobody listens on, and that was not given away before. */
export async function freePort() {
  for (;;) {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    return port;
  }
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}
