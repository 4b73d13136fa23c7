import type { FromRoutingPanel, ToRoutingPanel } from '../../server/protocol/panels/routing';
import { isToRoutingPanel } from '../../server/protocol/panels/routing';
import { connect } from '../shared/host';
import { RoutingPanel } from './panel';
import './routing.css';

const panel = new RoutingPanel();
const link = connect<ToRoutingPanel, FromRoutingPanel>({
  guard: isToRoutingPanel,
  receive: (message) => {
    panel.receive(message);
  },
});
panel.start(link);
