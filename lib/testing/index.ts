export { signDelivery, type SignDeliveryOptions } from './sign-delivery';
