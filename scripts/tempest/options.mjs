// What `npm run test:tempest` was asked for.
import { parseArgs } from 'node:util';

export const usage = `npm run test:tempest -- [options]

Runs OpenStack's tempest.api.network against Alcor, once with Keystone and once with Alcor's built-in identity.

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
      identity: { type: 'string' },
      regex: { type: 'string', default: '' },
      workers: { type: 'string', default: '12' },
      keep: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const identities = ['keystone', 'builtin'];
  if (values.identity !== undefined && !identities.includes(values.identity)) {
    throw new TypeError(`--identity wants keystone or builtin, not '${values.identity}'`);
  }
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1)
    throw new TypeError(`--workers wants a number, not '${values.workers}'`);
  return {
    identities: values.identity === undefined ? identities : [values.identity],
    regex: String.raw`^tempest\.api\.network\.(?=.*(?:${values.regex}))`,
    workers,
    keep: values.keep,
    build: !values['no-build'],
    help: values.help,
  };
}
