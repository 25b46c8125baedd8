export {
  cleanRegion,
  createFabric,
  destroyFabric,
  type Fabric,
  type FabricOptions,
  type TunnelType,
} from './fabric.ts';
export {
  describeHost,
  startHost,
  startHosts,
  stopHost,
  type Host,
  type HostOptions,
  type HostsOptions,
} from './host.ts';
export { introduce } from './introduce.ts';
export type { Abortable, Means } from './means.ts';
export { ping, type PingOptions, type PingResult } from './ping.ts';
export { canEmulate, type CanEmulate } from './prerequisites.ts';
export { CommandError, run, type RunOptions } from './run.ts';
export { plugVm, unplugVm, type Vm, type VmOptions } from './vm.ts';
