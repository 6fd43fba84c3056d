"""Daily use of many goods at many sites → what comes next, and how sure that is; knows nothing of journals."""

from abasto.forecast.outlook import Forecast, forecast

__all__ = ["Forecast", "forecast"]
