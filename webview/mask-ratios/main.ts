import type { FromMaskPanel, ToMaskPanel } from '../../server/protocol/panels/mask-ratios';
import { isToMaskPanel } from '../../server/protocol/panels/mask-ratios';
import { connect } from '../shared/host';
import { isRecord } from '../../server/protocol/shape';
import { MaskPanel } from './panel';
import './mask-ratios.css';

const panel = new MaskPanel();
const link = connect<ToMaskPanel, FromMaskPanel>({
  guard: isToMaskPanel,
  receive: (message) => {
    panel.receive(message);
  },
});
panel.start(link, isRecord(link.state) ? link.state : {});
