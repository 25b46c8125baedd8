// `npm test`: sets up what a fresh clone lacks, then checks and tests everything. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, installNpmPackages, installSystemPackages, root, run } from './setup.mjs';

installNpmPackages();
installSystemPackages('test');
build();
const filters = process.argv.slice(2);
if (filters.length === 0) run('npm', ['run', '--silent', 'check']);
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const args = ['run', '--reporter=default', `--reporter=${join(root, 'scripts/count-reporter.mjs')}`, ...filters];
process.exit(spawnSync(process.execPath, [vitest, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1);
