import { signDelivery } from 'kiket-express/testing';
import { describePage, example, secret } from '../../../../support/doc-page';

describePage('docs/guides/without-express.md', {
  'Without Express': async (_app, { exported }) => {
    const route = exported['POST'] as (request: Request) => Promise<Response>;
    const send = (signedWith: string) => {
      const { headers, body } = signDelivery(example, { secret: signedWith });
      return route(new Request('https://service.example/kiket', { method: 'POST', headers, body }));
    };
    expect(await (await send(secret)).json()).toEqual({ received: example.event });
    const refused = await send('whsec_of_another');
    expect([refused.status, await refused.json()]).toEqual([
      401,
      { error: { code: 'signature.mismatch', message: expect.any(String) as string } },
    ]);
  },
});
