// `npm start`: sets up what a fresh clone lacks, then runs a region in this process.
import { build, installNpmPackages, installSystemPackages } from './setup.mjs';

installNpmPackages();
installSystemPackages('run');
build();
process.argv.splice(2, 0, 'region');
await import('../packages/cli/dist/main.js');
