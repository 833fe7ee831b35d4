import { readJobData } from '../../../lib/queue/job-data';
import { jobData } from '../../system/queue/contract';

describe('the data of a job', () => {
  it('should be those of a delivery', () => {
    expect(readJobData(jobData)).toEqual(jobData);
    expect(readJobData({ event: 'a', eventVersion: 'v1', payload: {} })).toEqual({
      event: 'a',
      eventVersion: 'v1',
      payload: {},
    });
  });

  it.each([
    ['nothing', {}],
    ['an array', []],
    ['an event that is not a string', { ...jobData, event: 1 }],
    ['no event', { ...jobData, event: '' }],
    ['no version', { ...jobData, eventVersion: undefined }],
    ['no payload', { ...jobData, payload: null }],
    ['a delivery id that is not a string', { ...jobData, deliveryId: 5 }],
    ['an invocation that is not a string', { ...jobData, invocationId: 5 }],
    ['a project that is not an id', { ...jobData, projectId: '' }],
    ['an organization that is not an id', { ...jobData, organizationId: 0 }],
    ['a project for the API that is not an id', { ...jobData, apiProjectId: -1 }],
  ])('should be refused with %s', (_, data) => {
    expect(() => readJobData(data)).toThrow(/^The job does not contain a delivery of kiketEnqueue\./);
  });
});
