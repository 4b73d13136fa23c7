import { RoutingPanel } from './panel';
import './routing.css';

new RoutingPanel();
