// `npm run simulate` and the like: sets up what a fresh clone lacks, then runs one command of alcor in this process.
import { build, installNpmPackages } from './setup.mjs';

installNpmPackages();
build();
await import('../packages/cli/dist/main.js');
