import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The system's own Python: packages of the distribution are not seen by others. */
const python = '/usr/bin/python3';

/** Why there is no openstack command to test with; undefined where there is one. */
export function whyNoOpenstackClient(): string | undefined {
  const present = spawnSync(python, ['-c', 'import openstackclient.shell']).status === 0;
  return present ? undefined : 'skipped: the openstack command (python3-openstackclient) is not installed';
}

/** What a command left when it ended. */
interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The openstack command, each time a process of its own with nothing of those before. */
export interface OpenstackClient {
  /** What the command prints, trimmed; throws what it says where it fails. */
  run(words: readonly string[]): Promise<string>;
  /** What it says where it fails; that it did not, otherwise. */
  refused(words: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/**
 * Loads the client's modules once, because that takes most of a command's time, and begins each command as a process that has them.
 * Commands of one client run one after another.
 */
export function startOpenstackClient(): OpenstackClient {
  const child = spawn(python, ['-c', commands], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (words: readonly string[]): Promise<Outcome> => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
    const { value, done } = await answers.next();
    if (done === true) throw new Error('the openstack client has ended');
    return JSON.parse(value) as Outcome;
  };
  const inTurn = (words: readonly string[]): Promise<Outcome> => {
    const outcome = last.then(() => ask(words));
    last = outcome.catch(() => {});
    return outcome;
  };
  return {
    async run(words) {
      const { status, stdout, stderr } = await inTurn(words);
      if (status !== 0) throw new Error(`openstack ${words.join(' ')}: ${stderr}`);
      return stdout.trim();
    },
    async refused(words) {
      const { status, stdout, stderr } = await inTurn(words);
      return status === 0 ? `not refused: ${stdout}` : stderr;
    },
    close: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.stdin?.end();
  await once(child, 'exit');
}

/** A command a line, as JSON; as is its outcome. */
const commands = `
import json, os, sys, tempfile
from openstackclient import shell
# What commands would load otherwise, each for itself.
import openstack.connection, openstackclient.identity.client, openstackclient.network.client, keystoneclient.v3.client

def run(words):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            status = 1
            try:
                status = shell.main(words)
            except SystemExit as end:
                status = end.code
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status if isinstance(status, int) else 0 if status is None else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for each in (out, err):
            each.seek(0)
            texts.append(each.read().decode())
        return {'status': status, 'stdout': texts[0], 'stderr': texts[1]}

for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
`;
