export type * from './nouns.ts';
export * from './feed.ts';
