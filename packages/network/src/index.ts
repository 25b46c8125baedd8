export type * from './nouns.ts';
export * from './errors.ts';
export * from './feed.ts';
export type * from './intent-store.ts';
