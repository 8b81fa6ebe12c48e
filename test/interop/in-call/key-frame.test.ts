import { useGateway } from '../../support/gateway.js';
import { test } from '../../support/scope.js';
import { answering } from '../../support/sipp-in-call.js';
import { inCall } from './support.js';

const gateway = useGateway();

test.concurrent('a far end that asks for a key frame by INFO reaches the client', async ({ scope }) => {
  const { phone, hangUp } = await inCall(scope, gateway(), answering.wantsKeyFrame());
  await phone.waitPush('Sono.Call.KeyFrame');
  await hangUp();
});
