export { type ApiOptions, buildApi } from './app.ts';
export { type Limits, defaultLimits } from './limits.ts';
export { PolicyFileError, readPolicy } from './policy-file.ts';
export type { PolicyOverrides } from './policy.ts';
