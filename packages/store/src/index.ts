export { openStore } from './store.ts';
export type { Store, StoreOptions } from './store.ts';
export type { StoreLimits } from './context.ts';
export type { ConnectionOptions } from './database.ts';
export { startEmbeddedPostgres } from './embedded-postgres.ts';
export { keepEmbeddedPostgres } from './kept-postgres.ts';
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.ts';
