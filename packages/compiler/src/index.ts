export { Compiler } from './compiler.ts';
export type { Delta } from './delta.ts';
export { type Audience, goneGoal } from './goals.ts';
export { type Goals, type Intent, recompute } from './recompute.ts';
export type { VpcSize } from './vpc-sizes.ts';
