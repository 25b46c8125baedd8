export { type ApiOptions, buildApi } from './app.ts';
export { type Limits, defaultLimits } from './limits.ts';
