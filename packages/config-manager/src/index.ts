export { learntLifetimeMs } from './answer.ts';
export { ConfigManager, type ConfigManagerOptions, type ManagedHost, predictedPerPort } from './config-manager.ts';
export type { GoalStates, HostState, TopicProgress, VpcProgress } from './host-session.ts';
export type { Peer } from './introductions.ts';
export type { OnDemandCounters } from './on-demand.ts';
export type { PredictionCounters } from './predictor.ts';
export type { SubscribedHost, TopicInformation } from './topic-information.ts';
