export { type CloudMessaging, cloudMessagingService, type CmsOptions } from './cms.ts';
export type { KnownNode } from './nodes.ts';
export { cmsRules } from './routes.ts';
export type { VpcFacts } from './topics.ts';
