import type { SignedRequestOptions } from './signed-request';
import { signDelivery } from 'kiket-express/testing';
import { secret } from './deliver';

/** Events as API Gateway hands them to a Lambda function: both payload formats, plain and base64. */
export const gatewayEvents: Record<string, (body: string, options?: SignedRequestOptions) => object> = {
  'v1 plain': (body, options) => eventV1(body, false, options),
  'v1 base64': (body, options) => eventV1(body, true, options),
  'v2 plain': (body, options) => eventV2(body, false, options),
  'v2 base64': (body, options) => eventV2(body, true, options),
};

function eventV1(body: string, isBase64Encoded: boolean, options: SignedRequestOptions = {}): object {
  const headers = signedHeaders(body, options);
  return {
    resource: '/{proxy+}',
    path: '/kiket',
    httpMethod: 'POST',
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: { proxy: 'kiket' },
    stageVariables: null,
    requestContext: { stage: 'prod', requestId: 'id', httpMethod: 'POST', identity: { sourceIp: '192.0.2.1' } },
    body: encode(body, isBase64Encoded),
    isBase64Encoded,
  };
}

function eventV2(body: string, isBase64Encoded: boolean, options: SignedRequestOptions = {}): object {
  const headers = signedHeaders(body, options);
  return {
    version: '2.0',
    routeKey: 'POST /kiket',
    rawPath: '/kiket',
    rawQueryString: '',
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    requestContext: {
      stage: '$default',
      requestId: 'id',
      http: { method: 'POST', path: '/kiket', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'Kiket' },
    },
    body: encode(body, isBase64Encoded),
    isBase64Encoded,
  };
}

function signedHeaders(body: string, { headers, ...signing }: SignedRequestOptions): Record<string, string> {
  const signed = signDelivery(body, { secret, ...signing }).headers;
  return { Host: 'api.example.com', ...signed, 'Content-Length': String(Buffer.byteLength(body)), ...headers };
}

function encode(body: string, isBase64Encoded: boolean): string {
  return isBase64Encoded ? Buffer.from(body).toString('base64') : body;
}
