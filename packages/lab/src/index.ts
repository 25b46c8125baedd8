export { simulate, type SimulationResult } from './simulation/simulate.ts';
