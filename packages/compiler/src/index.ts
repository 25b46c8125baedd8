export { Compiler, type Delta } from './compiler.ts';
export { type Audience, goneGoal } from './goals.ts';
export { type Goals, type Intent, recompute } from './recompute.ts';
