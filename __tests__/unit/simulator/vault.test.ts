import { Vault } from '../../../lib/simulator/vault';

const DAY_MS = 86_400_000;

function vaultOf(given: Partial<ConstructorParameters<typeof Vault>[0]> = {}) {
  const clock = { nowMs: 0 };
  const vault = new Vault({
    deliverySecrets: ['whsec_first'],
    deliverySecretSource: 'KIKET_WEBHOOK_SECRET',
    secrets: { CRM: 'value_of_the_crm' },
    secretSource: 'environment',
    secretKeys: ['CRM', 'MAIL'],
    now: () => clock.nowMs,
    ...given,
  });
  return { vault, clock };
}

const valuesOf = ({ hidden }: Vault): string[] => hidden.map(({ value }) => value);

describe('the delivery secret', () => {
  it('should be followed by the one before for 24 hours', () => {
    const { vault, clock } = vaultOf();
    const second = vault.rotate();
    expect(vault.deliverySecrets).toEqual([second, 'whsec_first']);
    expect(vault.previousDeliverySecret).toBe('whsec_first');
    clock.nowMs = DAY_MS - 1;
    expect(vault.deliverySecrets).toHaveLength(2);
    clock.nowMs = DAY_MS;
    expect(vault.deliverySecrets).toEqual([second]);
    expect(vault.previousDeliverySecret).toBeUndefined();
    expect(vault.deliverySecretView).toEqual({ isSet: true, source: 'made by rotation' });
  });

  it('should have one secret before it after several rotations, and hide all of them', () => {
    const { vault } = vaultOf({ deliverySecrets: ['whsec_first', 'whsec_older'] });
    expect(vault.deliverySecretView).toEqual({
      isSet: true,
      source: 'KIKET_WEBHOOK_SECRET',
      previousUntil: '1970-01-02T00:00:00.000Z',
    });
    const second = vault.rotate();
    const third = vault.rotate();
    expect(vault.deliverySecrets).toEqual([third, second]);
    expect(valuesOf(vault)).toEqual(expect.arrayContaining([third, second, 'whsec_first', 'whsec_older']));
  });

  it('should be made by a rotation where there was none', () => {
    const { vault } = vaultOf({ deliverySecrets: [] });
    expect(vault.deliverySecret).toBeUndefined();
    expect(vault.deliverySecretView).toEqual({ isSet: false, source: 'KIKET_WEBHOOK_SECRET' });
    const made = vault.rotate();
    expect(made).toMatch(/^whsec_[\w-]{32}$/);
    expect(vault.deliverySecrets).toEqual([made]);
  });
});

describe('secrets of payloads', () => {
  it('should be missing until they are set', () => {
    const { vault } = vaultOf();
    expect(vault.missing).toEqual(['MAIL']);
    vault.set('MAIL', 'value_of_mail');
    expect([vault.missing, vault.secrets]).toEqual([[], { CRM: 'value_of_the_crm', MAIL: 'value_of_mail' }]);
    vault.delete('CRM');
    expect(vault.views).toEqual([
      { key: 'CRM', isSet: false, source: undefined },
      { key: 'MAIL', isSet: true, source: 'page' },
    ]);
  });

  it('should stay hidden after they are replaced or deleted', () => {
    const { vault } = vaultOf();
    vault.set('CRM', 'second_value');
    vault.set('CRM', 'third_value');
    vault.delete('CRM');
    vault.hide('OAUTH', 'stored_value');
    const values = ['value_of_the_crm', 'second_value', 'third_value', 'stored_value'];
    expect(valuesOf(vault)).toEqual(expect.arrayContaining(values));
  });

  it('should be shown again only if they were not given at the start', () => {
    const { vault } = vaultOf();
    vault.set('CRM', 'typed_value');
    const values = ['value_of_the_crm', 'whsec_first', 'typed_value'];
    expect(values.map((value) => vault.isRevealable(value))).toEqual([false, false, true]);
  });
});
