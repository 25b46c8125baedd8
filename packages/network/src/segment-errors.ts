/** Refusals about segments and the ranges of their VNIs; a part of `errorTable`. */
export const segmentErrors = {
  SegmentNotFound: { status: 404, type: 'SegmentNotFound', message: 'Segment {segmentId} could not be found.' },
  SegmentInUse: {
    status: 409,
    type: 'SegmentInUse',
    message: "Segment '{segmentId}' cannot be deleted: {reason}.",
  },
  NetworkSegmentRangeNotFound: {
    status: 404,
    type: 'NetworkSegmentRangeNotFound',
    message: 'Network Segment Range {rangeId} could not be found.',
  },
  NetworkSegmentRangeReferencedByProject: {
    status: 409,
    type: 'NetworkSegmentRangeReferencedByProject',
    message: 'Network Segment Range {rangeId} is referenced by one or more tenant networks.',
  },
  NetworkSegmentRangeDefaultReadOnly: {
    status: 400,
    type: 'NetworkSegmentRangeDefaultReadOnly',
    message: 'Network Segment Range {rangeId} is a default segment range which could not be updated or deleted.',
  },
  NetworkSegmentRangeOverlaps: {
    status: 409,
    type: 'NetworkSegmentRangeOverlaps',
    message: 'Network segment range overlaps with another one.',
  },
} as const;
