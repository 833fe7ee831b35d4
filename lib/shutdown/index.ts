export { kiketShutdown, type KiketServer, type KiketShutdown, type KiketShutdownOptions } from './kiket-shutdown';
