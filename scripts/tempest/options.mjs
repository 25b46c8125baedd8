// What `npm run test:tempest` was asked for.
import { parseArgs } from 'node:util';
import { suites } from './suites.mjs';

export const usage = `npm run test:tempest -- [options]

Runs OpenStack's own tests of the network API against Alcor, once with Keystone and once with Alcor's built-in identity.

  --suite tempest|neutron       tempest.api.network (default), or the larger neutron_tempest_plugin.api
  --identity keystone|builtin   only with the one
  --regex REGEX                 only the tests of the suite whose names match
  --workers N                   test processes at a time (default 12)
  --keep                        keep the logs also when all went well
  --no-build                    run what was built before
`;

/** Throws a TypeError that names what is wrong. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      suite: { type: 'string', default: 'tempest' },
      identity: { type: 'string' },
      regex: { type: 'string', default: '' },
      workers: { type: 'string', default: '12' },
      keep: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const suite = suites[values.suite];
  if (suite === undefined) {
    throw new TypeError(`--suite wants ${Object.keys(suites).join(' or ')}, not '${values.suite}'`);
  }
  const identities = ['keystone', 'builtin'];
  if (values.identity !== undefined && !identities.includes(values.identity)) {
    throw new TypeError(`--identity wants keystone or builtin, not '${values.identity}'`);
  }
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1)
    throw new TypeError(`--workers wants a number, not '${values.workers}'`);
  return {
    identities: values.identity === undefined ? identities : [values.identity],
    suite,
    regex: values.regex,
    workers,
    keep: values.keep,
    build: !values['no-build'],
    help: values.help,
  };
}
