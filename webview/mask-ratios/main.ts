import { MaskPanel } from './panel';
import './mask-ratios.css';

new MaskPanel();
