import { resolve } from 'node:path';

/** What `alcor region` (and `npm start`) was asked for. */
export interface RegionOptions {
  /** Emulated hosts. */
  readonly hosts: number;
  /** Port of the API on 127.0.0.1; 0 takes any free one. */
  readonly port: number;
  /** Absolute path of the directory that holds the region's data. */
  readonly state: string;
  readonly demo: boolean;
  /** Exit when the demonstration is over. */
  readonly once: boolean;
  readonly json: boolean;
  readonly databaseUrl: string | undefined;
}

/** Checks what came from the command line; throws a TypeError that names the option. */
export function regionOptions(args: Readonly<Record<string, unknown>>): RegionOptions {
  return {
    hosts: wholeNumber('--hosts', args['hosts'], 0, 200),
    port: wholeNumber('--port', args['port'], 0, 65_535),
    state: resolve(String(args['state'])),
    demo: args['demo'] !== false,
    once: args['once'] === true,
    json: args['json'] === true,
    databaseUrl: process.env['DATABASE_URL'],
  };
}

function wholeNumber(name: string, given: unknown, from: number, to: number): number {
  const value = Number(given);
  if (String(given).trim() !== '' && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new TypeError(`${name} wants a whole number from ${from} to ${to}, not '${String(given)}'`);
}
