note() { echo "$deploy_name $deploy_action $*" >>/var/log/steps; }
