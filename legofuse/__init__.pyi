from legofuse import bags as bags
from legofuse import config as config
from legofuse import datasets as datasets
from legofuse import fusion as fusion
from legofuse import inspection as inspection
from legofuse import nn as nn
from legofuse import plotting as plotting
from legofuse import readouts as readouts
from legofuse import relations as relations
from legofuse import report as report
from legofuse import views as views
from legofuse import weights as weights
from legofuse.anomaly import LEGOAnomalyClassifier as LEGOAnomalyClassifier
from legofuse.bags import PerUnit as PerUnit
from legofuse.bags import to_bags as to_bags
from legofuse.transformer import LEGOFusionTransformer as LEGOFusionTransformer
from legofuse.views import ImputeWithin as ImputeWithin
from legofuse.views import stack_views as stack_views

__version__: str
