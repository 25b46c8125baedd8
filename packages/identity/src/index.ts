export type { Caller, Identity, RequestHeaders } from './identity.ts';
export { noIdentity } from './no-identity.ts';
export type { NoIdentityOptions } from './no-identity.ts';
