import type { FromSuccessPanel, ToSuccessPanel } from '../../server/protocol/panels/success-rates';
import { isToSuccessPanel } from '../../server/protocol/panels/success-rates-guards';
import { connect } from '../shared/host';
import { SuccessPanel } from './panel';
import './success-rates.css';

const panel = new SuccessPanel();
const link = connect<ToSuccessPanel, FromSuccessPanel>({
  guard: isToSuccessPanel,
  receive: (message) => {
    panel.receive(message);
  },
});
panel.start(link);
