from appliance.proxy.branch cimport Branch
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.sip.message cimport Response


cpdef object recurse(Response response, Branch branch, ProxyEnvironment node, double now)
