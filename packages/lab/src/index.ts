export { simulate, type SimulationResult } from './simulation/simulate.ts';
export * from './hosts/index.ts';
