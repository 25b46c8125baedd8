import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { realRuntime } from '@alcor/runtime';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';
import { openStore } from '../store.ts';

/** In the environment, which test files' processes inherit: the state directory of a server that has been stopped and has the schema in its database `migrated`. */
const variable = 'ALCOR_TEST_POSTGRES';

const { clock, random } = realRuntime();

/** Tests of what survives a loss of power start servers of their own; a commit that need not reach the disk takes a fraction of the time. */
export const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** Vitest's global setup: to make a server's files takes seconds, so it is done once, and each test file copies them. */
export async function setup(): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'alcor-template-'));
  await makeTemplate(stateDir);
  process.env[variable] = stateDir;
  return () => rm(stateDir, { recursive: true, force: true });
}

async function makeTemplate(stateDir: string): Promise<void> {
  const server = await startEmbeddedPostgres({ stateDir, clock, random, settings });
  const admin = postgres({ ...server.connection, max: 1 });
  await admin.unsafe('create database migrated');
  await admin.end();
  const store = await openStore({ connection: { ...server.connection, database: 'migrated' }, clock, random });
  await store.close();
  await server.stop();
}

/** A state directory that a server may be started on, of which `migrated` may be copied. */
export async function copyTemplate(): Promise<string> {
  const template = process.env[variable];
  const stateDir = await mkdtemp(join(tmpdir(), 'alcor-store-'));
  // With who owns what: PostgreSQL does not run as root.
  if (template === undefined) await makeTemplate(stateDir);
  else await promisify(execFile)('cp', ['-a', `${template}/.`, stateDir]);
  return stateDir;
}
