export { ConfigManager, type ConfigManagerOptions, type ManagedHost } from './config-manager.ts';
export type { HostState } from './host-session.ts';
