import { SuccessPanel } from './panel';
import './success-rates.css';

new SuccessPanel();
