export { Agent, type AgentOptions } from './agent.ts';
export * from './dataplane/index.ts';
export { HeldState } from './held-state.ts';
