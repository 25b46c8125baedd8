export { casesOf, type Disagreement, disagreements, disagreementText, noTally, type Tally } from './differential.ts';
export { planText, shrunk } from './shrink.ts';
