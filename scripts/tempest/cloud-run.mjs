// One run: a region of its own with one kind of identity, and tempest against it.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { furnish, createExternalNetwork, extensionAliases, login, registerNetworkService } from './cloud.mjs';
import { startKeystone } from './keystone.mjs';
import { answers, freePort, Processes } from './processes.mjs';
import { runSuite } from './suite.mjs';

const region = 'RegionOne';

/** Starts the cloud, runs the suite and ends the cloud; `track` is told of the processes, so that a signal can end them. */
export async function runWith(identity, { directory, suite, regex, workers, say, onResult, track }) {
  mkdirSync(directory, { recursive: true });
  const processes = new Processes();
  track(processes);
  try {
    const cloud = await startCloud(identity, { processes, directory, suite, say });
    const place = join(directory, 'tempest');
    return await runSuite({ processes, directory: place, cloud, suite, regex, workers, onResult });
  } finally {
    await processes.stopAll();
  }
}

async function startCloud(identity, { processes, directory, suite, say }) {
  const started = Date.now();
  const password = randomBytes(12).toString('hex');
  const networkUrl = `http://127.0.0.1:${await freePort()}`;
  const start = identity === 'keystone' ? startWithKeystone : startWithBuiltin;
  const identityUrl = await start({ processes, directory, networkUrl, password, say });
  const session = await login(identityUrl, password);
  const aliases = await extensionAliases(session, networkUrl);
  const network = aliases.includes('external-net') ? await createExternalNetwork(session, networkUrl) : undefined;
  if (network === undefined) say('the server has no external networks; tests that need one will be skipped');
  if (suite.furnished) await furnish(session, networkUrl);
  say(
    `${identity}: the cloud is up after ${((Date.now() - started) / 1000).toFixed(1)} s, ${aliases.length} extensions`,
  );
  return { identityUrl, region, password, network, aliases };
}

/** Keystone, which knows Alcor as the network service, and Alcor, which asks Keystone about tokens. */
async function startWithKeystone({ processes, directory, networkUrl, password, say }) {
  const port = await freePort();
  const started = Date.now();
  const url = await startKeystone({ processes, directory: join(directory, 'keystone'), port, region, password });
  say(`Keystone is up after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const servicePassword = randomBytes(12).toString('hex');
  await registerNetworkService(await login(url, password), { region, networkUrl, servicePassword });
  const env = {
    ALCOR_KEYSTONE_USER: 'neutron',
    ALCOR_KEYSTONE_PASSWORD: servicePassword,
    ALCOR_KEYSTONE_PROJECT: 'service',
  };
  await startAlcor({ processes, directory, networkUrl, args: ['--identity', 'keystone', '--keystone-url', url], env });
  return url;
}

/** Alcor alone. */
async function startWithBuiltin({ processes, directory, networkUrl, password }) {
  const port = await freePort();
  const args = ['--identity', 'builtin', '--identity-port', String(port)];
  const alcor = await startAlcor({ processes, directory, networkUrl, args, env: { ALCOR_ADMIN_PASSWORD: password } });
  const url = `http://127.0.0.1:${port}/v3`;
  await answers(url, alcor);
  return url;
}

async function startAlcor({ processes, directory, networkUrl, args, env }) {
  const main = join(root, 'packages/cli/dist/main.js');
  const port = new URL(networkUrl).port;
  const base = ['region', '--no-demo', '--hosts', '0', '--port', port, '--state', join(directory, 'region')];
  // The region's data is its own, not in a database that the environment may name.
  const ownDatabase = { ...env, DATABASE_URL: undefined };
  const log = join(directory, 'alcor.log');
  const alcor = processes.start(process.execPath, [main, ...base, ...args], { log, env: ownDatabase });
  await answers(networkUrl, alcor);
  return alcor;
}
