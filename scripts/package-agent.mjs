// `npm run package:agent`: the host agent as a Debian package: its code in one file and this machine's Node.js beside it, so that
// hypervisors need neither npm nor a Node.js of their own.
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { build, installNpmPackages, root, run, say } from './setup.mjs';

const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } });
installNpmPackages();
build();
const folder = mkdtempSync(join(tmpdir(), 'alcor-package-'));
try {
  await packageInto(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function packageInto(work) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  const tree = join(work, 'tree');
  cpSync(join(root, 'packaging/alcor-agent'), tree, { recursive: true });
  chmodSync(join(tree, 'etc/default/alcor-agent'), 0o640);
  const library = join(tree, 'usr/lib/alcor-agent');
  mkdirSync(library, { recursive: true });
  await bundle(join(library, 'agent.mjs'));
  copyFileSync(process.execPath, join(library, 'node'));
  mkdirSync(join(tree, 'DEBIAN'));
  writeFileSync(join(tree, 'DEBIAN/control'), control({ version, architecture }));
  writeFileSync(join(tree, 'DEBIAN/conffiles'), '/etc/default/alcor-agent\n');
  mkdirSync(values.out, { recursive: true });
  const path = join(values.out, `alcor-agent_${version}_${architecture}.deb`);
  say(`writing ${path}`);
  run('dpkg-deb', ['--build', '--root-owner-group', '-Zgzip', tree, path]);
  console.log(path);
}

/** All of the agent's code in one file. */
async function bundle(script) {
  // Only after `installNpmPackages`: a fresh clone has none.
  const { rolldown } = await import('rolldown');
  say('bundling the agent');
  const bundled = await rolldown({
    input: join(root, 'packages/cli/dist/agent-main.js'),
    platform: 'node',
    // What only a controller does, like hashing passwords with native code, stays out with the module that does it.
    external: ['@node-rs/argon2'],
    treeshake: { moduleSideEffects: (id) => !id.startsWith(join(root, 'packages')) && !id.startsWith('@node-rs/') },
  });
  await bundled.write({ file: script, format: 'esm', codeSplitting: false });
  await bundled.close();
}

function control({ version, architecture }) {
  return `Package: alcor-agent
Version: ${version}
Architecture: ${architecture}
Maintainer: The Alcor authors <alcor@localhost>
Section: net
Priority: optional
Depends: openvswitch-switch, libc6, libstdc++6
Description: host agent of the Alcor cloud network control plane
 Keeps the Open vSwitch of one host at its goal state: virtual private clouds,
 security groups, routers, DHCP. Registers the host with its region.
`;
}
