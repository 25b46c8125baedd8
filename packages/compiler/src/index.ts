export { Compiler } from './compiler.ts';
export { type Delta, difference } from './delta.ts';
export { type Audience, gatewayGoal, goneGoal, neighborGoal } from './goals.ts';
export { type Goals, type Intent, recompute } from './recompute.ts';
export type { VpcSize } from './vpc-sizes.ts';
