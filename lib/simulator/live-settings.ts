import type { ObservedFake } from '../fake-kiket/start-fake-kiket';
import { parseSchedule } from '../sending/schedule';
import type { LocalKiket, SettingsChange, SettingsView } from './local-kiket';
import { changedSettings, type Settings } from './settings';
import type { Vault } from './vault';

type SettingsFacade = LocalKiket['settings'];

/** The settings and secrets of a local Kiket that runs. */
export class LiveSettings implements SettingsFacade {
  readonly #vault: Vault;
  /** Called after it has started. */
  readonly #fake: () => ObservedFake;
  #settings: Settings;

  constructor(settings: Settings, vault: Vault, fake: () => ObservedFake) {
    this.#settings = settings;
    this.#vault = vault;
    this.#fake = fake;
  }

  get current(): Settings {
    return this.#settings;
  }

  read(): SettingsView {
    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- not shown
    const { isRequired, headers, speed, ...shown } = this.#settings;
    return {
      ...shown,
      apiUrl: this.#fake().kiket.url,
      delays: parseSchedule(shown.schedule)!,
      speed: Number.isFinite(speed) ? speed : 'max',
      secrets: this.#vault.views,
      deliverySecret: this.#vault.deliverySecretView,
    };
  }

  change(change: SettingsChange): SettingsView {
    this.#settings = changedSettings(this.#settings, change);
    return this.read();
  }

  setSecret(key: string, value: string): void {
    this.#vault.set(key, value);
    this.#fake().kiket.setSecret(this.#settings.extensionId, key, value);
  }

  deleteSecret(key: string): void {
    this.#vault.delete(key);
    const { extensions } = this.#fake().stores;
    const { extensionId } = this.#settings;
    if (extensions.secretKeys(extensionId).includes(key)) extensions.deleteSecret(extensionId, key);
  }

  rotate(): string {
    return this.#vault.rotate();
  }
}
