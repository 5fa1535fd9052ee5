from appliance.proxy.branch cimport Branch
from appliance.proxy.dialogs cimport bind_to_answer
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.sip.message cimport Response


cpdef object bind_dialog(Response response, Branch branch, ProxyEnvironment node, double now)
