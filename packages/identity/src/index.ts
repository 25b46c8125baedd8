export type { Caller, Identity, RequestHeaders } from './identity.ts';
export { noIdentity } from './no-identity.ts';
export type { NoIdentityOptions } from './no-identity.ts';
export { openIdentityStore } from './store.ts';
export type { IdentityStore, IdentityStoreOptions } from './store.ts';
export type { ServiceUrls } from './bootstrap.ts';
export { builtinIdentity } from './builtin-identity.ts';
export type { BuiltinIdentityOptions } from './builtin-identity.ts';
