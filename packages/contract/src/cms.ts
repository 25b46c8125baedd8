import {
  CloudMessagingServiceDefinition,
  GoalStates,
  GoalStatesRequest,
  HeartbeatRequest,
  HostProgress,
  HostProgressRequest,
  Node,
  NodeSettings,
  Nodes,
  NodesRequest,
  RePushReply,
  RePushRequest,
} from './generated/cloudmessaging.ts';

export {
  GoalStates,
  GoalStatesRequest,
  HeartbeatRequest,
  HostProgress,
  HostProgressRequest,
  Node as CmsNode,
  NodeSettings,
  Nodes,
  NodesRequest,
  RePushReply,
  RePushRequest,
};

const { fullName, methods } = CloudMessagingServiceDefinition;

function pathOf(method: keyof typeof methods): string {
  return `/${fullName}/${methods[method].name}`;
}

/** The methods of the cloud messaging service; those that watch have any number of replies. */
export const cloudMessaging = {
  getGoalStates: { path: pathOf('getGoalStates'), request: GoalStatesRequest, reply: GoalStates },
  watchGoalStates: { path: pathOf('watchGoalStates'), request: GoalStatesRequest, reply: GoalStates },
  getHostProgress: { path: pathOf('getHostProgress'), request: HostProgressRequest, reply: HostProgress },
  rePush: { path: pathOf('rePush'), request: RePushRequest, reply: RePushReply },
  registerNode: { path: pathOf('registerNode'), request: NodeSettings, reply: Node },
  setNode: { path: pathOf('setNode'), request: NodeSettings, reply: Node },
  heartbeat: { path: pathOf('heartbeat'), request: HeartbeatRequest, reply: Node },
  watchNodes: { path: pathOf('watchNodes'), request: NodesRequest, reply: Nodes },
} as const;
